// Where Plug-and-Play (arXiv 2211.12572) reaches into the network, as checkpoint keys.

/** Residual block whose convolution Plug-and-Play shares: layer 4 of the decoder. */
export const injectedResnet = 'up_blocks.1.resnets.1';

/** Self-attention layers whose queries and keys Plug-and-Play shares: layers 4 to 11 of the decoder. */
export const injectedAttention = /^up_blocks\.(1\.attentions\.[12]|[23]\.attentions\.[012])\./;
