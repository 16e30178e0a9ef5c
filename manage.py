#!/usr/bin/env python
"""Which command shall run? The one entry point; kept readable by any old Python."""

import os
import sys

OWNER_COMMANDS = (
    "changepassword",
    "createapikey",
    "createsuperuser",
    "dbshell",
    "flush",
    "loaddemo",
    "makemigrations",
    "migrate",
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

    execute_from_command_line(sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
