"""Tools for the course's maintainers."""
