"""How does alertmanager.yml become routes, channels, inhibitions and time intervals?

`receivers` says what a receiver becomes, `plan` what would be done (pure), `carrying`
does it. What the file means is read in alertcenter.alerts.am_reading.
"""
