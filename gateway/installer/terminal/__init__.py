"""How the tools speak to the installer: language, words, tables, what he types."""
