"""What a tenant is made of: itself, members, keys, secrets' keys, audit."""

from tenants.models.apikey import ApiKey
from tenants.models.audit import Audit
from tenants.models.base import TenantModel, TenantRow
from tenants.models.integration import Integration
from tenants.models.member import Member
from tenants.models.retention import RetentionRun
from tenants.models.tenant import Tenant, TenantKey
from tenants.models.usage import Usage

__all__ = [
    "ApiKey",
    "Audit",
    "Integration",
    "Member",
    "RetentionRun",
    "Tenant",
    "TenantKey",
    "TenantModel",
    "TenantRow",
    "Usage",
]
