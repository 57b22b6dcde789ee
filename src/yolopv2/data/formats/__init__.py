"""The formats of labelled data, one reader each: all are read in place."""

from yolopv2.data.formats.bdd100k import BDD100K
from yolopv2.data.formats.camvid import CamVid
from yolopv2.data.formats.coco import Coco
from yolopv2.data.formats.instance_pictures import BDD10K, Cityscapes
from yolopv2.data.formats.packed import Packed
from yolopv2.data.formats.yolo import Yolo
from yolopv2.data.formats.yolop import Yolop

__all__ = ["BDD10K", "BDD100K", "CamVid", "Cityscapes", "Coco", "Packed", "Yolo", "Yolop"]
