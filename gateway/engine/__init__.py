"""The site's decisions: reports of drivers in, events and commands of devices out.

`site.SiteEngine` routes each report to the part that owns the matter (doors, lanes, alarms, points, meters). Each part
asks a pure decider in `rules/`, records through `record.Record`, and only then acts on a bus.
"""
