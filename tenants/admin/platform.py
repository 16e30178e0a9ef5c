"""Which tables are for platform operators only? Those that belong to no tenant."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from tenants.admin_base import OperatorsOnly
from tenants.admin_lists import CappedPaginator

admin.site.unregister(
    [
        User,
        Group,
        PeriodicTask,
        ClockedSchedule,
        CrontabSchedule,
        IntervalSchedule,
        SolarSchedule,
    ]
)


@admin.register(User)
class OperatorsUserAdmin(OperatorsOnly, UserAdmin):
    """Global users; tenants see them as members only."""

    section_order = 10
    paginator = CappedPaginator
    show_full_result_count = False


@admin.register(Group)
class OperatorsGroupAdmin(OperatorsOnly, GroupAdmin):
    """Django's groups, which the roles of tenants do not use."""

    section_order = 20


@admin.register(PeriodicTask)
class OperatorsTaskAdmin(OperatorsOnly, beat.PeriodicTaskAdmin):
    """Running a task is running code, so it is not for tenants.

    The library's own page has an inline script, which the policy forbids; ours
    does without.
    """

    section_order = 30
    change_form_template = "admin/change_form.html"


@admin.register(CrontabSchedule)
class OperatorsCrontabAdmin(OperatorsOnly, beat.CrontabScheduleAdmin):
    """When, by the clock."""

    section_order = 31


@admin.register(IntervalSchedule)
class OperatorsIntervalAdmin(OperatorsOnly, beat.IntervalScheduleAdmin):
    """When, by distance."""

    section_order = 32


@admin.register(ClockedSchedule)
class OperatorsClockedAdmin(OperatorsOnly, beat.ClockedScheduleAdmin):
    """When, once."""

    section_order = 33


@admin.register(SolarSchedule)
class OperatorsSolarAdmin(OperatorsOnly, beat.SolarScheduleAdmin):
    """When, by the sun."""

    section_order = 34
