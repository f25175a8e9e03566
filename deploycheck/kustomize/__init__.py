"""Renders kustomizations as `kubectl kustomize` does: the subset that deploy/k8s uses, strictly.

`make check` needs no kubectl. A test compares the result with kubectl's where that is installed.
"""
