"""The demo: everything on this machine, a page that explains it, and a stage for cards and the line. Not shipped."""
