"""When something is an alarm: conditions, the steps of a rule, the causes that every site has."""
