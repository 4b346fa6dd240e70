"""Who may pass where: holders, credentials, grants, schedules, blocks, and their way into the desired state."""
