"""Stores market data as five-minute bars in MongoDB, exactly once in spite of crashes."""
