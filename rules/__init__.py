"""The pure deciders: who may pass, what a plate meets, when an alarm begins, which step a ticket may take.

No file here knows a clock, a database or an event loop: `now` is an argument, and what is returned is a decision.
The gateway enforces with them; the hub replays and tries changes with them.
"""
