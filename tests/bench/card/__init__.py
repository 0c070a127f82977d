"""What one authentication with a card takes: exchanges, bytes, time; and how its daemon fares over many of them."""
