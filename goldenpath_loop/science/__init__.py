"""Pure algorithms: signatures, statistics, culprit search, ranking."""
