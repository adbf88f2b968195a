"""Doctor: what works from here, check by check, as a report fit for pasting (`report`, `local`, `remote`)."""
