"""The admin of tenants, members, keys, the audit log, and the platform's tables."""

from tenants.admin.apikey import ApiKeyAdmin
from tenants.admin.audit import AuditAdmin
from tenants.admin.member import MemberAdmin
from tenants.admin.platform import OperatorsUserAdmin
from tenants.admin.storage import RetentionRunAdmin
from tenants.admin.tenant import TenantAdmin

__all__ = [
    "ApiKeyAdmin",
    "AuditAdmin",
    "MemberAdmin",
    "OperatorsUserAdmin",
    "RetentionRunAdmin",
    "TenantAdmin",
]
