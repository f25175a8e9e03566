"""The one public door: relays live quotes to every client that shows a valid token."""
