"""The exchanges' calendar: daily refresh from Upstox, storage, and publication."""
