"""CLIP's text transformer at toy size, with the parameter names of its checkpoint."""
import torch
from torch import nn

from tokenizer import END, LENGTH, START, VOCABULARY

WIDTH, HEADS, LAYERS, MLP_WIDTH = 96, 4, 2, 384
CONFIG = {
    "architectures": ["CLIPTextModel"],
    "model_type": "clip_text_model",
    "hidden_size": WIDTH,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "intermediate_size": MLP_WIDTH,
    "max_position_embeddings": LENGTH,
    "vocab_size": len(VOCABULARY),
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-05,
    "attention_dropout": 0.0,
    "projection_dim": WIDTH,
    "bos_token_id": START,
    "eos_token_id": END,
    "pad_token_id": END,
    "torch_dtype": "float16",
}


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.k_proj = nn.Linear(WIDTH, WIDTH)
        self.v_proj = nn.Linear(WIDTH, WIDTH)
        self.q_proj = nn.Linear(WIDTH, WIDTH)
        self.out_proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x, mask):
        """[N, LENGTH, WIDTH] -> same; mask [LENGTH, LENGTH] is added to the scores."""
        n, length, _ = x.shape
        q, k, v = (p(x).view(n, length, HEADS, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        scores = q @ k.transpose(2, 3) * (WIDTH // HEADS) ** -0.5 + mask
        return self.out_proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, length, WIDTH))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(WIDTH, MLP_WIDTH)
        self.fc2 = nn.Linear(MLP_WIDTH, WIDTH)

    def forward(self, x):
        h = self.fc1(x)
        return self.fc2(h * torch.sigmoid(1.702 * h))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn = Attention()
        self.layer_norm1 = nn.LayerNorm(WIDTH)
        self.mlp = Mlp()
        self.layer_norm2 = nn.LayerNorm(WIDTH)

    def forward(self, x, mask):
        x = x + self.self_attn(self.layer_norm1(x), mask)
        return x + self.mlp(self.layer_norm2(x))


class TextEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        embeddings = nn.ModuleDict({
            "token_embedding": nn.Embedding(len(VOCABULARY), WIDTH),
            "position_embedding": nn.Embedding(LENGTH, WIDTH),
        })
        self.text_model = nn.ModuleDict({
            "embeddings": embeddings,
            "encoder": nn.ModuleDict({"layers": nn.ModuleList(Layer() for _ in range(LAYERS))}),
            "final_layer_norm": nn.LayerNorm(WIDTH),
        })
        nn.init.normal_(embeddings["token_embedding"].weight, std=0.3)
        nn.init.normal_(embeddings["position_embedding"].weight, std=0.05)

    def forward(self, ids):
        """Token ids [N, LENGTH] -> [N, LENGTH, WIDTH], always in float32: it is small."""
        model, length = self.text_model, ids.shape[1]
        mask = torch.full((length, length), -1e9, device=ids.device).triu(1)
        with torch.autocast(ids.device.type, enabled=False):
            x = model["embeddings"]["token_embedding"](ids) + model["embeddings"]["position_embedding"].weight[:length]
            for layer in model["encoder"]["layers"]:
                x = layer(x, mask)
            return model["final_layer_norm"](x)
