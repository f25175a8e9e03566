"""The paper broker: fills orders from real quotes and order books by fixed rules."""
