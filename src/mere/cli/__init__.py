"""The command `mere`: reads settings, assembles a server, shows what happens. The only room that prints."""
