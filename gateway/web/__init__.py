"""The gateway's own server: the guard's console for this one site, what cameras push, health and figures.

The same routes and shapes as the hub's, so that the same console runs on both; what only the hub can do is not here.
"""
