"""Rights on layers."""

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField

from accounts.models import Department, Role, User
from layers.models.catalogue import Layer, Theme


class Grant(models.Model):
    """A right given to someone: on one layer, on a theme, or (both empty) on every layer."""

    class To(models.TextChoices):
        """Kinds of grantee."""

        DEPARTMENT = "department"
        ROLE = "role"
        USER = "user"
        PUBLIC = "public"

    layer = models.ForeignKey(Layer, models.CASCADE, null=True, blank=True, related_name="grants")
    theme = models.ForeignKey(Theme, models.CASCADE, null=True, blank=True, related_name="grants")
    to = models.CharField(max_length=12, choices=To.choices)
    department = models.ForeignKey(Department, models.CASCADE, null=True, blank=True)  # with all below it
    role = models.ForeignKey(Role, models.CASCADE, null=True, blank=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True)
    actions = ArrayField(models.CharField(max_length=8))
    fields = ArrayField(models.CharField(max_length=200), null=True, blank=True)  # null: all of them
    area = models.MultiPolygonField(srid=4490, null=True, blank=True)  # null: everywhere; longitude, latitude
    area_label = models.CharField(max_length=200, blank=True)
    valid_from = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(layer__isnull=True) | models.Q(theme__isnull=True),
                name="grant_on_one_thing",
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(to="public", department__isnull=True, role__isnull=True, user__isnull=True)
                    | models.Q(
                        to="department", department__isnull=False, role__isnull=True, user__isnull=True
                    )
                    | models.Q(to="role", department__isnull=True, role__isnull=False, user__isnull=True)
                    | models.Q(to="user", department__isnull=True, role__isnull=True, user__isnull=False)
                ),
                name="grant_to_one",
            ),
        ]

    def __str__(self) -> str:
        return f"grant {self.pk} to {self.to}"
