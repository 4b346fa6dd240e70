"""Sessions: signing in, proving oneself, passwords, second factors."""
