// Where the companion server of this machine listens.

/**
 * The TCP ports on 127.0.0.1 that the server tries in this order, and that the panel looks at. manifest.json allows these
 * and no others. 7860 is not among them: Gradio and AUTOMATIC1111 use it.
 */
export const companionPorts = [47_860, 47_861, 47_862, 47_863] as const;
