#!/usr/bin/env python
"""Which command shall run? The one entry point; kept readable by any old Python."""

import os
import sys

OWNER_COMMANDS = (
    "changepassword",
    "createapikey",
    "createsuperuser",
    "dbshell",
    "exportalertmanager",
    "flush",
    "importalertmanager",
    "importsilences",
    "loaddemo",
    "makemigrations",
    "migrate",
    "retention",
    "shell",
    "sqlmigrate",
)


def main():
    if sys.version_info < (3, 11):
        sys.exit(
            "AlertCenter needs Python 3.11 or newer, this is %d.%d."
            % sys.version_info[:2]
        )
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    from alertcenter.settings.env import SettingsError
    from alertcenter.supervisor.errors import StartError

    try:
        return run(command)
    except SettingsError as error:
        sys.stderr.write("alertcenter: %s\n" % error)
        return 2
    except StartError as error:
        sys.stderr.write("alertcenter: %s\n" % error)
        return 1


def run(command):
    if command in OWNER_COMMANDS and not os.environ.get("ALERTCENTER_DB_ROLE"):
        os.environ["ALERTCENTER_DB_ROLE"] = "owner"
    if command == "up":  # the supervisor needs no Django, so it starts at once
        from alertcenter.supervisor.up import main as up

        return up(sys.argv[2:])
    from alertcenter.settings import module

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", module())
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if command not in OWNER_COMMANDS or not is_away(error):
            raise
        sys.stderr.write(
            "alertcenter: The database does not answer: start AlertCenter first "
            "(make run), or check DATABASE_URL.\n"
        )
        return 1
    return 0


def is_away(error):
    """Whether no server answered; what a server complains about has a code."""
    return getattr(error.__cause__, "pgcode", None) is None


if __name__ == "__main__":
    sys.exit(main())
