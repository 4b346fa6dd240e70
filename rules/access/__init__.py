"""Who may pass where and when: holders, credentials, grants, schedules, plates; and what is no honest try."""
