"""System checks: what would only be noticed in operation is said before."""
