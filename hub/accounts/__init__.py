"""Accounts: who may sign in, as what, for which sites; their sessions; their copies at the gateways."""
