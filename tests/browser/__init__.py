"""Every flow clicked through in real Chromium, as a person would."""
