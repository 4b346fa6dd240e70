"""What every edit made of what: values before and after, beside the history and bound to it, erasable."""
