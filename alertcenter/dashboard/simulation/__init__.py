"""The simulation: a Slack and a mailbox of our own, and storms to try them with."""
