"""Rules for rendered Kubernetes objects; each rule returns one line for each problem."""
