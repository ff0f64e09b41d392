"""The folders that nnU-Net wants to be told of before it is imported: temporary ones, gone at the end."""
import atexit
import os
import shutil
import tempfile

# Processes that nnU-Net starts inherit their parent's.
if 'nnUNet_raw' not in os.environ:
    root = tempfile.mkdtemp(prefix='nnunet-')
    atexit.register(shutil.rmtree, root, True)
    for name in ('raw', 'preprocessed', 'results'):
        os.environ['nnUNet_' + name] = os.path.join(root, name)
        os.mkdir(os.environ['nnUNet_' + name])
