"""6xx: deployment files against the code that they run."""
