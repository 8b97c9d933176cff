"""Files and folders: reading, listing, matching by name, atomic writing, locks. Nothing is executed."""

from .atomic import PendingFolder, write_atomic
from .locks import FolderInUse, folder_lock

__all__ = [
    'FolderInUse',
    'PendingFolder',
    'folder_lock',
    'write_atomic',
]
