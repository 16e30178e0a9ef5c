"""The calendar of a schedule: who is on call when, and what changes it."""
