"""Stable Diffusion's noise schedule with v-prediction, and DDIM sampling with guidance."""
import torch

STEPS = 1000
CONFIG = {
    "_class_name": "DDIMScheduler",
    "_diffusers_version": "0.21.0",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": STEPS,
    "prediction_type": "v_prediction",
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "timestep_spacing": "leading",
    "trained_betas": None,
}
BETAS = torch.linspace(CONFIG["beta_start"] ** 0.5, CONFIG["beta_end"] ** 0.5, STEPS, dtype=torch.float64) ** 2
ALPHA_CUMPROD = (1 - BETAS).cumprod(0).float()


def signal_and_noise(timesteps):
    """sqrt(alpha_cumprod) and sqrt(1 - alpha_cumprod), each [N, 1, 1, 1]."""
    alpha = ALPHA_CUMPROD.to(timesteps.device)[timesteps][:, None, None, None]
    return alpha.sqrt(), (1 - alpha).sqrt()


def ddim_timesteps(steps):
    """Ascending timesteps, 'leading' spacing with offset 1."""
    return [i * (STEPS // steps) + 1 for i in range(steps)]


def guided_velocity(unet, latents, timestep, context, negative, guidance):
    """v of classifier-free guidance; negative is the empty caption's context."""
    count = len(latents)
    t = torch.full((count,), timestep, dtype=torch.long, device=latents.device)
    if guidance == 1:
        return unet(latents, t, context)
    both = unet(torch.cat([latents] * 2), torch.cat([t, t]), torch.cat([negative, context]))
    return both[:count] + guidance * (both[count:] - both[:count])


def ddim_move(latents, velocity, start, end):
    """Latents moved from one timestep to another along the predicted v; -1 is the end of sampling."""
    a = ALPHA_CUMPROD[max(start, 0)]
    b = ALPHA_CUMPROD[max(end, 0)]
    clean = a.sqrt() * latents - (1 - a).sqrt() * velocity
    noise = a.sqrt() * velocity + (1 - a).sqrt() * latents
    return b.sqrt() * clean + (1 - b).sqrt() * noise


@torch.no_grad()
def sample(unet, latents, context, negative, guidance=3.0, steps=25):
    """Noise [N, 4, h, w] -> latents."""
    schedule = ddim_timesteps(steps)
    for timestep, following in zip(reversed(schedule), [*reversed(schedule[:-1]), 0]):
        velocity = guided_velocity(unet, latents, timestep, context, negative, guidance)
        latents = ddim_move(latents, velocity, timestep, following)
    return latents
