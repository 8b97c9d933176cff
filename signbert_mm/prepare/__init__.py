"""Published data sets and files of other formats into a PoseStore, and whether a store is whole."""
