"""What the whole product must do, told as stories: real programs, a real broker, the virtual reader and its cards."""
