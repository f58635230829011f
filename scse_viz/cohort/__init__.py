"""Many scans through networks on Dask: a row a scan, gates by block and structure, in Parquet files."""

from scse_viz.cohort.entries import CohortError, Entry, find_entries
from scse_viz.cohort.results import Cohort, gather, read_cohort
from scse_viz.cohort.tasks import ScanTask, measure

__all__ = ["Cohort", "CohortError", "Entry", "ScanTask", "find_entries", "gather", "measure", "read_cohort"]
