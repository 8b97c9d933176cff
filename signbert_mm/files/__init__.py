"""Files and folders: read as text, walked, matched by name, written whole, locked; nothing in them is
executed.
"""

from .atomic import PendingFolder, write_atomic
from .locks import FolderInUse, folder_lock

__all__ = [
    'FolderInUse',
    'PendingFolder',
    'folder_lock',
    'write_atomic',
]
