"""The figures of this gateway for administrators."""
