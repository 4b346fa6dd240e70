"""The company's sites: what each consists of, its posts, and how its doors and lanes stand."""
