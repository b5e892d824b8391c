"""A small synthetic CT of a lower spine with labels, as files, for tests of the doors. Nothing here is anatomy."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pydicom.config
from numpy.typing import NDArray
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

SHAPE = (56, 44, 60)
SPACING_MM = 2.5
LEVELS = {"L3": 29, "L4": 28, "L5": 27, "S1": 26}
"""TotalSegmentator v2 numbers of the vertebrae, from above downwards."""

KIDNEY_RIGHT, KIDNEY_LEFT = 2, 3


def affine_ras() -> NDArray[np.float64]:
    """Index to RAS millimetres: array axes towards right, anterior and superior."""
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = (-70.0, -50.0, -80.0)
    return affine


def scan() -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Hounsfield units and TotalSegmentator labels. The spine stands off the middle in every direction."""
    values = np.full(SHAPE, -1000, dtype=np.int16)
    values[3:53, 3:41, :] = -100
    values[6:50, 6:38, :] = 45
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for place, number in enumerate(LEVELS.values()):
        box = (slice(24, 36), slice(8, 24), slice(44 - 12 * place, 54 - 12 * place))
        values[box] = 350
        labels[box] = number
    for number, left in ((KIDNEY_LEFT, 9), (KIDNEY_RIGHT, 40)):  # RAS: small index is the patient's left
        labels[left : left + 8, 10:20, 34:52] = number
    return values, labels


def write_nifti(path: Path, values: NDArray[np.generic], affine: NDArray[np.float64] | None = None) -> Path:
    """A NIfTI file with the given voxels."""
    image = nib.Nifti1Image(values, affine_ras() if affine is None else affine)
    nib.save(image, path)
    return path


def write_dicom(folder: Path, values: NDArray[np.int16] | None = None, *, series_uid: str = "1.2.3.4") -> list[Path]:
    """A CT series of uncompressed single-frame files of the scan; names do not follow the slices' order."""
    if values is None:
        values = scan()[0]
    lps = np.flip(values, (0, 1))  # array axes towards left, posterior, head
    affine = affine_ras()
    first = affine @ np.array([SHAPE[0] - 1, SHAPE[1] - 1, 0, 1.0])
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(lps.shape[2]):
        dataset = pydicom.Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = f"{series_uid}.{number}"
        dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"{series_uid}.{number}"
        dataset.SeriesInstanceUID, dataset.StudyInstanceUID = series_uid, "1.2.3"
        dataset.FrameOfReferenceUID = "1.2.3.9"
        dataset.Modality, dataset.PatientPosition, dataset.PatientID = "CT", "HFS", "P-17"
        dataset.AcquisitionDate = "20260310"
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.ImagePositionPatient = [-first[0], -first[1], first[2] + SPACING_MM * number]
        dataset.PixelSpacing = [SPACING_MM, SPACING_MM]
        dataset.SliceThickness = SPACING_MM
        dataset.Rows, dataset.Columns = SHAPE[1], SHAPE[0]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
        dataset.PixelData = (lps[:, :, number].T.astype(np.int32) + 1024).astype(np.uint16).tobytes()
        path = folder / f"image{(number * 37) % 1000:04d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def change_dicom(path: Path, **tags: object) -> None:
    """Set (or with None delete) tags of a DICOM file."""
    with pydicom.config.disable_value_validation():  # some tests write impossible values
        dataset = pydicom.dcmread(path)
        for tag, value in tags.items():
            if value is None:
                delattr(dataset, tag)
            else:
                setattr(dataset, tag, value)
        dataset.save_as(path)
