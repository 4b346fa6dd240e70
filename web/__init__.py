"""What hub and gateway show to people: sessions, the live stream, the shape of errors, the console's files.

Both servers use the same code for the same thing; each brings its own storage through the Protocols here
(`session.SessionStore`, `live.LiveSource`). Imports nothing of ours but `contract` and
`rules`: what may be done is told beside what is shown.
"""
