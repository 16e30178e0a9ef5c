"""Why was I paged, or why not? The straight answer, decision by decision.

`stored` explains a group or an alert that is there, `pasted` one that is not; both
return a `trace.Trace`, of which `words` makes sentences and `links` addresses.
"""
