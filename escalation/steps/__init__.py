"""What can a step of a policy do? Each module here is a family of kinds (KINDS)."""
