from yolopv2.data.packed import pack_sample


class FramesOf:
    def __init__(self, dataset, height, width, lanes):
        self.d, self.h, self.w, self.lanes = dataset, height, width, lanes
        self.memo = {}

    def __len__(self):
        return len(self.d)

    def __getitem__(self, i):
        if hasattr(self.d, "packed"):
            return self.d.packed(i)
        return pack_sample(self.d[i], self.h, self.w, self.lanes)
