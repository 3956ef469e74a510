"""Feature networks of published metrics, with the names of their published weights.

They are written out here because the packages that have them need torchvision, which no CPU build of PyTorch of ours
loads, or are not kept any more.
"""
