"""Tests of what a training rests on: python3 -m unittest discover -s models/demo/train"""
import contextlib
import io
import json
import signal
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch.nn import functional as F

import autoencoder
import control
import distil
import low_rank
import model_folder
import packed
import unet
from autoencoder import Autoencoder
from compiled import Compiled
from dataset import CELL, render_all
from judge import Judge
from linear_start import held_parameters, pace, start_linear
from on_gpu import Run
from safetensors_file import write_mixed
from shared_adam import SharedAdam
from train_judge import with_norms, without_norms
from train_vae import Pictures, to_unit


def pictures(count=2, edge=64):
    """Smooth ones, in [-1, 1], each with a mean and a contrast of its own."""
    generator = torch.Generator().manual_seed(1)
    cells = torch.rand(count, 3, edge // 16, edge // 16, generator=generator) * 2 - 1
    contrast = torch.linspace(0.2, 0.7, count)[:, None, None, None]
    return F.interpolate(cells, (edge, edge), mode="bicubic").clamp(-1, 1) * contrast + torch.linspace(-0.3, 0.3, count)[:, None, None, None]


class LinearStart(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.vae = Autoencoder()
        start_linear(self.vae, pictures())

    def test_new_weights_pass_absolute_colours_through(self):
        target = pictures(3)
        with torch.no_grad():
            mean, log_variance = self.vae.encode(target)
            output = self.vae.decode(mean)
        inside = slice(16, -16)
        difference = (output - target)[..., inside, inside]
        self.assertLess(difference.abs().mean().item(), 0.03)
        self.assertLess(difference.mean((1, 2, 3)).abs().max().item(), 0.01)
        self.assertGreater(mean[:, 3].std().item(), 0.3)
        self.assertTrue((log_variance == -8).all())

    def test_a_training_step_moves_all_weights_but_the_constants(self):
        held = held_parameters(self.vae)
        before = {name: value.detach().clone() for name, value in self.vae.named_parameters()}
        adam = SharedAdam([self.vae], 1)
        adam.set_pace(pace(self.vae))
        adam.attach(0)
        adam.gradients[0].fill_(1e-3)
        adam.update(1e-3, weight_decay=0)
        for name, value in self.vae.named_parameters():
            moved = value.detach() != before[name]
            expected = held.get(value, torch.ones_like(value)) > 0
            self.assertTrue(torch.equal(moved, expected), name)


class Adam(unittest.TestCase):
    def test_a_gradient_that_is_not_finite_moves_nothing(self):
        layer = torch.nn.Linear(3, 2)
        adam = SharedAdam([layer], 1)
        adam.attach(0)
        before = layer.weight.detach().clone()
        for broken in (float("nan"), float("inf")):
            adam.gradients[0].fill_(1).view(-1)[0] = broken
            adam.update(1e-2, weight_decay=0)
            self.assertTrue(torch.equal(layer.weight, before))
        adam.gradients[0].fill_(1)
        adam.update(1e-2, weight_decay=0)
        self.assertTrue((layer.weight < before).all())


class Packed(unittest.TestCase):
    def test_weights_come_back_for_the_same_networks_alone(self):
        state = Autoencoder().state_dict()
        with tempfile.TemporaryDirectory() as folder:
            packed.pack({"vae": state}, Path(folder) / "file")
            back = packed.unpack(Path(folder) / "file")["vae"]
            self.assertEqual(list(back), list(state))
            for name, value in state.items():
                self.assertTrue(torch.equal(back[name], value.bfloat16().float()), name)
            groups = autoencoder.CONFIG["norm_num_groups"]
            try:
                autoencoder.CONFIG["norm_num_groups"] = 8
                self.assertEqual(packed.unpack(Path(folder) / "file"), {})
            finally:
                autoencoder.CONFIG["norm_num_groups"] = groups


class Crops(unittest.TestCase):
    def test_each_is_a_square_of_one_image_with_its_mask_mirrored_or_not(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            render_all(Path(folder), 16, 1)
            drawer = Pictures(Path(folder), "cpu")
            drawn, weights = drawer.draw(np.random.default_rng(3), 64, 12)
            ways = set()
            for crop, weight in zip(drawn, weights):
                found = self.find(drawer, crop)
                self.assertIsNotNone(found)
                row, top, left, mirrored = found
                mask = np.array(drawer.masks[row, top // CELL : (top + 64) // CELL, left // CELL : (left + 64) // CELL])
                expected = 1 + torch.from_numpy(mask[:, ::-1].copy() if mirrored else mask).float() / 255
                self.assertTrue(torch.equal(weight[0, ::CELL, ::CELL], expected))
                ways.add(mirrored)
            self.assertEqual(ways, {False, True})

    def find(self, drawer, crop):
        for row in range(drawer.first, drawer.last):
            image = to_unit(drawer.images[row : row + 1])[0]
            for mirrored in (False, True):
                wanted = crop.flip(2) if mirrored else crop
                for top in range(0, 193, CELL):
                    for left in range(0, 193, CELL):
                        if torch.equal(image[:, top : top + 64 : 21, left : left + 64 : 21], wanted[:, ::21, ::21]) and torch.equal(
                            image[:, top : top + 64, left : left + 64], wanted
                        ):
                            return row, top, left, mirrored
        return None


class Compiling(unittest.TestCase):
    def test_where_it_fails_the_function_itself_is_used(self):
        weight = torch.ones(2, requires_grad=True)

        def reset():
            weight.grad = None

        passes = Compiled(lambda x: ((weight * x).sum(), (weight * x).sum()), reset, compiling=False)
        calls = []

        def broken(x):
            calls.append(1)
            (weight * 5).sum().backward()  # what a failure leaves behind
            raise RuntimeError("there is no compiler")

        passes.fast = broken
        with contextlib.redirect_stdout(io.StringIO()) as said:
            first, second = passes.gradients(torch.tensor([1.0, 2.0])), passes.gradients(torch.tensor([1.0, 3.0]))
        self.assertEqual((float(first), float(second), len(calls)), (3.0, 4.0, 1))
        self.assertEqual(weight.grad.tolist(), [1.0, 3.0])
        self.assertIn("there is no compiler", said.getvalue())


class Distilling(unittest.TestCase):
    def test_the_steps_of_the_student_are_among_those_of_the_walks(self):
        self.assertEqual(distil.lcm_timesteps(4), [999, 759, 499, 259])
        self.assertEqual(distil.lcm_timesteps(8)[::2], [999, 759, 499, 259])
        self.assertEqual(distil.lcm_timesteps(distil.WALK_STEPS)[:: distil.WALK_STEPS // 8], distil.lcm_timesteps(8))

    def test_a_walk_along_one_velocity_has_its_end_where_every_point_estimates_it(self):
        clean, noise = torch.randn(2, *distil.LATENTS), torch.randn(2, *distil.LATENTS)

        def model(latents, timesteps, context):
            a = distil.alpha_at(int(timesteps[0]))
            return (a.sqrt() * noise - (1 - a).sqrt() * clean).repeat(len(latents) // 2, 1, 1, 1)

        for first in (0, 5):
            times = distil.lcm_timesteps(8)[first:]
            a = distil.alpha_at(times[0])
            start = a.sqrt() * clean + (1 - a).sqrt() * noise
            seen, end = distil.walk(model, start, torch.zeros(2, 3, 4), torch.zeros(1, 3, 4), 5.0, first)
            self.assertEqual(len(seen), len(times))
            torch.testing.assert_close(end, clean, atol=1e-4, rtol=1e-4)
            for latents, timestep in zip(seen, times):
                velocity = model(latents, torch.tensor([timestep]), None)
                torch.testing.assert_close(distil.clean_of(latents, velocity, timestep), clean, atol=1e-4, rtol=1e-4)

    def test_training_lets_the_student_estimate_the_ends_and_leaves_the_model(self):
        network = torch.nn.ModuleDict({"inner": torch.nn.Conv2d(4, 4, 1)})
        network.forward = lambda latents, timesteps, context: network["inner"](latents)
        student = low_rank.Student(network, 4)
        latents = torch.randn(8, *distil.LATENTS)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            folder = Path(folder)
            batch = {"first": 0, "seen": latents[None], "end": 2 * latents, "context": torch.zeros(8, 3, 4)}
            distil.save(batch, folder / "walks-0000.pt")
            walks = distil.Walks(folder)
            walks.refresh()
            error = lambda which: distil.distance(
                distil.clean_of(latents, student.run(which, latents, None, None), 999), batch["end"]
            ).item()
            before = error("teacher")
            distil.train(student, walks, SimpleNamespace(work=folder, steps=400, seed=0))
            self.assertLess(error("average"), 0.7 * before)
            self.assertEqual(error("teacher"), before)

    def test_a_change_of_low_rank_is_none_at_first_and_is_stored_in_two_factors(self):
        for layer in (torch.nn.Linear(6, 5), torch.nn.Conv2d(3, 5, 3, stride=2, padding=1)):
            x = torch.randn(2, 6) if isinstance(layer, torch.nn.Linear) else torch.randn(2, 3, 8, 8)
            changed = low_rank.LowRank(layer, 2)
            torch.testing.assert_close(changed(x), layer(x))
            torch.nn.init.normal_(changed.trained[1])
            changed.follow(0)
            down, up = changed.tensors("here").values()
            product = up.flatten(1) @ down.flatten(1)
            torch.testing.assert_close(layer.weight + product.view_as(layer.weight), changed.weight())

    def test_captions_have_only_words_that_the_model_knows(self):
        known = set("a an red blue ball cube on grass in the city photo of".split())
        captions = model_folder.captions_of(known, np.random.default_rng(0))
        drawn = [next(captions) for _ in range(20)]
        self.assertTrue(all(set(caption.split()) <= known for caption in drawn))
        self.assertGreater(len(set(drawn)), 3)


class Control(unittest.TestCase):
    def test_edges_are_one_pixel_wide_where_colours_meet_and_nowhere_else(self):
        image = np.zeros((40, 60, 3), np.uint8)
        image[10:30, 20:45, 1] = 255
        edges = control.canny(image)
        self.assertTrue((edges[14:26].sum(1) == 2).all())
        self.assertTrue((edges[:, 24:41].sum(0) == 2).all())
        self.assertFalse(edges[13:27, 23:42].any() or edges[:8].any() or edges[:, :18].any())
        faint = np.where(image > 0, np.uint8(20), np.uint8(0))
        self.assertFalse(control.canny(faint).any())

    def test_a_new_one_adds_nothing_and_a_step_moves_what_it_adds(self):
        torch.manual_seed(0)
        model = unet.UNet().requires_grad_(False)
        torch.nn.init.normal_(model.conv_out.weight, std=0.1)
        network = control.ControlNet(model).requires_grad_(True)
        shown = torch.zeros(1, 3, 64, 64)
        shown[..., 20:40] = 1
        inputs = torch.randn(1, 4, 8, 8), torch.tensor([500]), torch.randn(1, 3, unet.CONTEXT)
        added = network(*inputs, shown)
        self.assertTrue(torch.equal(model(*inputs), model(*inputs, added)))
        optimizer = torch.optim.SGD(network.parameters(), 10.0)
        for _ in range(2):
            optimizer.zero_grad()
            model(*inputs, network(*inputs, shown)).pow(2).mean().backward()
            optimizer.step()
        self.assertFalse(torch.equal(model(*inputs), model(*inputs, network(*inputs, shown))))
        self.assertFalse(torch.equal(network(*inputs, shown)[0], network(*inputs, 1 - shown)[0]))

    def test_its_file_has_all_weights_as_they_were_trained_and_is_small(self):
        network = control.ControlNet(unet.UNet())
        tensors, small = network.tensors()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "file"
            write_mixed(file, tensors, small)
            data = file.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        self.assertLess(len(data), 4e6)
        name = "down_blocks.0.resnets.0.conv1.weight"
        self.assertEqual(header[name]["dtype"], "F8_E4M3")
        start, end = header[name]["data_offsets"]
        stored = torch.frombuffer(bytearray(data[8 + length + start : 8 + length + end]), dtype=torch.float8_e4m3fn)
        used = network.down_blocks[0].resnets[0].conv1.weight
        self.assertTrue(torch.equal(stored.float().view_as(used), used))
        self.assertEqual(header["controlnet_mid_block.weight"]["dtype"], "F16")


class Judging(unittest.TestCase):
    def test_a_judge_is_the_same_function_without_its_norms(self):
        torch.manual_seed(0)
        judge = with_norms(Judge())
        for _ in range(3):
            judge(torch.randn(4, 3, 256, 256))
        pictures = torch.randn(2, 3, 256, 256)
        with torch.no_grad():
            names, masks = judge.eval()(pictures)
            plain_names, plain_masks = without_norms(judge)(pictures)
        torch.testing.assert_close(plain_names, names, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(plain_masks, masks, atol=1e-5, rtol=1e-4)


class Stages(unittest.TestCase):
    def setUp(self):
        self.run_ = Run(SimpleNamespace(minutes=1, rehearse=False, salvage=False))
        self.said = []
        self.run_.say = lambda *words: self.said.append(" ".join(map(str, words)))

    def test_one_that_hangs_is_ended_and_the_next_works(self):
        self.assertFalse(self.run_.stage("waiting", signal.pause, 1))
        self.assertTrue(self.run_.stage("working", lambda: None, 30))
        self.assertEqual(self.said, ["waiting", "waiting had not ended in time", "working", "working done"])

    def test_one_that_fails_says_so(self):
        self.assertFalse(self.run_.stage("dividing", lambda: 1 / 0, 30))
        self.assertEqual(self.said[-1], "dividing failed (exit code 1)")

    def test_one_without_memory_is_tried_again_with_half_the_batch(self):
        def work():
            if self.run_.batch_scale > 0.5:
                raise torch.OutOfMemoryError("no room")

        self.assertTrue(self.run_.stage("training", work, 30))
        self.assertEqual(self.run_.batch_scale, 0.5)
        self.assertEqual(self.said[-1], "training done")


if __name__ == "__main__":
    unittest.main()
