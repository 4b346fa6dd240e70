"""What happened, as data: one file a subject. Which kind of event has which data stands in `contract.kinds`."""
