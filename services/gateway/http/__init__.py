"""HTTP parts that REST, the stream and the page share."""
