"""Code lists in editions, their values, and how values of one list map to another."""

from django.db import models


class CodeList(models.Model):
    """A code list in one edition: the values a field may take."""

    code = models.SlugField(max_length=48)
    edition = models.CharField(max_length=32)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120)
    source = models.CharField(max_length=300, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)  # first day on which it no longer holds

    class Meta:
        constraints = [models.UniqueConstraint(fields=("code", "edition"), name="code_list_edition")]

    def __str__(self) -> str:
        return f"{self.title_zh} ({self.edition})"


class CodeValue(models.Model):
    """One code of a list, with its names and, where the standard gives one, its colour."""

    class Mark(models.TextChoices):
        """How well what is written here is known to agree with the standard's own text."""

        CHECKED = "checked", "已核对 checked"
        RECALLED = "recalled", "待核对 recalled"
        CONVENTION = "convention", "本项目约定 convention"

    code_list = models.ForeignKey(CodeList, models.CASCADE, related_name="values")
    code = models.CharField(max_length=32)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120, blank=True)
    colour = models.CharField(max_length=9, blank=True)
    parent = models.CharField(max_length=32, blank=True)  # the code above it in the same list
    selectable = models.BooleanField(default=True)  # False: a heading, no value of a feature
    mark = models.CharField(max_length=10, choices=Mark.choices, blank=True)

    class Meta:
        ordering = ("code",)
        constraints = [models.UniqueConstraint(fields=("code_list", "code"), name="code_value_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.title_zh}"


class CodeMapping(models.Model):
    """How a code of one list reads in another. Many to many: nothing is mapped silently (GB editions differ)."""

    class Relation(models.TextChoices):
        """How the two meanings lie to each other."""

        EQUAL = "equal", "等同 equal"
        WIDER = "wider", "源大于目标 wider"
        NARROWER = "narrower", "源小于目标 narrower"
        PARTIAL = "partial", "部分对应 partial"

    source = models.ForeignKey(CodeValue, models.CASCADE, related_name="maps_to")
    target = models.ForeignKey(CodeValue, models.CASCADE, related_name="mapped_from")
    relation = models.CharField(max_length=8, choices=Relation.choices)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("source", "target"), name="code_mapping_once")]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"
