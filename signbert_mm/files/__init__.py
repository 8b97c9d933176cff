"""Files and folders: written whole, locked, read without executing anything."""

from .atomic import PendingFolder, write_atomic
from .locks import FolderInUse, folder_lock

__all__ = [
    'FolderInUse',
    'PendingFolder',
    'folder_lock',
    'write_atomic',
]
